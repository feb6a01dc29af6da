// Everything that is shown goes through here as text: no name from elsewhere is ever read as HTML.

/**
 * The element of an id that the page has.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (found);
}

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {readonly (Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Makes an element of a drawing.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number>>} [attributes]
 * @param {readonly (Node | string)[]} [children]
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function makeSvg(tag, attributes = {}, children = []) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Sets the text, unless it is there already: a screen reader announces changes only.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Sets an attribute, or takes it away when the value is null.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Makes the children of `parent` those of `items`, in their order. What is there for an item stays, so
 * that focus, selection and scrolling outlive an update.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string, create: (item: T) => HTMLElement, update: (element: HTMLElement, item: T) => void }} options
 */
export function reconcile(parent, items, { key, create, update }) {
  const before = new Map(
    [...parent.children].map((child) => [child.getAttribute('data-key') ?? '', child]),
  );
  items.forEach((item, index) => {
    const name = key(item);
    const element = /** @type {HTMLElement} */ (before.get(name) ?? create(item));
    before.delete(name);
    setAttribute(element, 'data-key', name);
    update(element, item);
    const there = parent.children[index];
    if (there !== element) parent.insertBefore(element, there ?? null);
  });
  for (const left of before.values()) left.remove();
}

/**
 * The part of an element that is marked `data-part`.
 *
 * @param {Element} element
 * @param {string} name
 * @returns {HTMLElement}
 */
export function part(element, name) {
  const found = element.querySelector(`[data-part="${name}"]`);
  if (found === null) throw new Error(`no part ${name}`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * A row of a table, with one cell a column. The roles are explicit: on a narrow screen the table is
 * laid out as blocks, and browsers then drop its implicit roles.
 *
 * @param {readonly { name: string, label: string, isNumber?: boolean, className?: string }[]} columns the first names the row
 * @returns {HTMLTableRowElement}
 */
export function makeRow(columns) {
  return make(
    'tr',
    { role: 'row' },
    columns.map(({ name, label, isNumber, className }, index) => {
      const kind = isNumber ? 'number' : (className ?? '');
      const shared = { 'data-part': name, 'data-label': label, class: kind };
      return index === 0
        ? make('th', { ...shared, role: 'rowheader', scope: 'row' })
        : make('td', { ...shared, role: 'cell' });
    }),
  );
}
