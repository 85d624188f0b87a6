"""How figures and pages look: style, labels, pictures, the page that shows them side by side."""
