"""Make Graphviz's SVG fit to be read: native tooltips, a title and a description, nothing that only Graphviz needs."""

from __future__ import annotations

from xml.etree import ElementTree

from pipesim.views.theme import LIGHT

SVG = "http://www.w3.org/2000/svg"
READABLE_SCALE = 0.65
XLINK_TITLE = "{http://www.w3.org/1999/xlink}title"


def readable_svg(picture: bytes, title: str, description: str, background: str) -> bytes:
    """Return Graphviz's SVG with names for people and for screen readers.

    Graphviz writes its own node names as titles and tooltips as links that lead nowhere. Here tooltips become
    titles, which browsers show, the links and the node names go, and so do the ids, which would
    occur twice in a page with two pictures.

    Args:
        picture: what a Graphviz engine wrote.
        title: the picture's name, one line.
        description: what is to be seen, in words.
        background: the colour behind the picture, so that it stays readable on a page of another theme.
    """
    root = ElementTree.fromstring(picture)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        element.attrib.pop("id", None)
        for name in element.findall(f"{{{SVG}}}title"):
            element.remove(name)
    for element in root.iter("a"):
        tooltip = element.get(XLINK_TITLE)
        element.tag = "g"
        element.attrib.clear()
        if tooltip:
            name = ElementTree.Element("title")
            name.text = tooltip
            element.insert(0, name)
    for element in root.iter("text"):
        element.text = _with_sign(element.text or "")
    for tag, text in (("desc", description), ("title", title)):
        element = ElementTree.Element(tag)
        element.text = text
        root.insert(0, element)
    root.set("xmlns", SVG)
    root.set("role", "img")
    # A wide picture shrinks to the page as long as its words stay readable, and scrolls beyond.
    smallest = float(root.get("width", "0pt").removesuffix("pt")) * READABLE_SCALE
    root.set("style", f"max-width:100%;min-width:{smallest:.0f}pt;height:auto;background:{background}")
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _with_sign(text: str) -> str:
    """Put the sign that browsers have in the place of the plain shape before a status."""
    for style in LIGHT.statuses.values():
        if text.startswith(f"{style.shape} {style.word}"):
            return style.symbol + text.removeprefix(style.shape)
    return text
