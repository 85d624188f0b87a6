"""One image: methods × values of the corruption parameter, as in the paper's figure 5."""

EACH = ("image",)


def draw(scores):
    """Return a figure: a row for each method, a column for each corruption, PSNR over each; on the left the truth.

    `scores` are the rows of one image; of several seeds the first is shown.
    """
    import matplotlib.pyplot as plt

    from steps import corruptions, grid, pictures, style

    scores, varying, _ = corruptions.split(scores)
    scores = scores.drop_duplicates(["label", *varying])
    kinds = list(scores.drop_duplicates(varying or ["image"])["corruption"])  # one for each value, whatever the seed
    labels = list(dict.fromkeys(scores["label"]))
    truth = pictures.truth(scores.iloc[0])
    height, width = pictures.measured(scores.iloc[0]).shape[:2]
    side = style.WIDTH / (len(kinds) + 1.2)
    figure = plt.figure(figsize=(style.WIDTH, (len(labels) + 1) * (side * height / width + 0.22)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    grid_of_panels = figure
    if truth is not None:
        whole, grid_of_panels = figure.subfigures(1, 2, width_ratios=[1.1, len(kinds)])
        pictures.show(whole.subplots(), truth, "Truth")
    panels = grid_of_panels.subplots(len(labels) + 1, len(kinds), squeeze=False)
    for column, corruption in enumerate(kinds):
        parameters = grid.parse_parameters(corruption)
        parameters = {name: parameters[name] for name in varying if name in parameters}
        here = scores[[grid.parse_parameters(text).items() >= parameters.items() for text in scores["corruption"]]]
        head = ", ".join(style.value(*pair) for pair in parameters.items())
        first = here.iloc[0]
        head += "\n" + pictures.title("Input", first["input_psnr"])
        pictures.show(panels[0, column], pictures.measured(first), head)
        for line, label in enumerate(labels, start=1):
            for _, row in here[here["label"] == label].head(1).iterrows():
                pictures.show(panels[line, column], pictures.recovered(row), pictures.title(label, row["psnr"]))
                break
            else:
                panels[line, column].set_title(f"{label} not run", pad=3)
                panels[line, column].set_axis_off()
    return figure
