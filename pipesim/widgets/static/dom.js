/* What all widgets build their pages with. */

const FOCUSABLE = new Set(["a", "button", "input", "select", "summary", "textarea"]);

/* Text from documents only ever becomes text nodes, attributes and values. What can have the focus keeps its keys
   from JupyterLab, whose command mode would cut cells with them; Lab looks for the mark on that very element. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export const button = (text, label, onclick, attributes = {}) =>
  h("button", { type: "button", title: label, "aria-label": label === text ? null : label, onclick, ...attributes }, text);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Tell `heard` whether the kernel is there, each time that changes; returns what ends it. */
export function watchKernel(model, heard) {
  let awake = true;
  const tell = (now) => {
    if (now === awake) return;
    awake = now;
    heard(awake);
  };
  const gone = () => tell(false), back = () => tell(true);
  model.on("comm_live_update", gone);
  model.on("msg:custom", back);
  return () => {
    model.off("comm_live_update", gone);
    model.off("msg:custom", back);
  };
}

/** The line that says that the kernel is gone. */
export const asleepLine = () => h("p", { class: "ps-asleep", role: "status", hidden: true });
