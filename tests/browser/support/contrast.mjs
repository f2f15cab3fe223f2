// Contrast of buttons in every state that they can be in, as WCAG 2.2 measures it.

/** WCAG 1.4.11: what has to be seen to know a control and its state. */
const ICON_MIN = 3;
/** WCAG 1.4.3. */
const TEXT_MIN = 4.5;
const FORCED = [[], ['hover'], ['active', 'hover'], ['focus', 'focus-visible']];
const TOGGLES = ['aria-pressed', 'aria-expanded'];

/**
 * Every visible button that can be pressed, in every state, that cannot be told from what is behind it.
 *
 * @param {import('playwright-core').Page} page
 * @returns {Promise<{faults: string[], checked: number}>} in words, and how many states were looked at
 */
export async function lookAtButtons(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('DOM.enable');
  await cdp.send('CSS.enable');
  const { root } = await cdp.send('DOM.getDocument');
  const { nodeIds } = await cdp.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: 'button, input, select, summary' });
  const [faults, count, looked] = [[], { checked: 0 }, new Set()];
  for (const nodeId of nodeIds) {
    const { object } = await cdp.send('DOM.resolveNode', { nodeId }).catch(() => ({}));
    if (!object) continue; // A list was loaded anew, and its row has gone.
    const call = async (fn, ...values) => {
      const args = values.map((value) => ({ value }));
      const options = { objectId: object.objectId, functionDeclaration: String(fn), arguments: args, returnByValue: true };
      return (await cdp.send('Runtime.callFunctionOn', options)).result.value;
    };
    const { kind, states } = await call(statesOf, TOGGLES);
    if (!kind || looked.has(kind)) continue; // Rows of a list are alike.
    looked.add(kind);
    for (const attributes of states) {
      for (const forcedPseudoClasses of FORCED) {
        await cdp.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses });
        const { name, icon, text, ring } = await call(measure, attributes);
        const state = [...forcedPseudoClasses, ...Object.entries(attributes).map((it) => it.join('='))].join(' ');
        const isLow = (ratio, min) => ratio !== undefined && ratio < min;
        if (isLow(icon, ICON_MIN)) faults.push(`${name} (${state}): icon ${icon.toFixed(2)}`);
        if (isLow(text, TEXT_MIN)) faults.push(`${name} (${state}): text ${text.toFixed(2)}`);
        if (forcedPseudoClasses.includes('focus') && isLow(ring, ICON_MIN)) faults.push(`${name} (${state}): focus ${ring.toFixed(2)}`);
        count.checked += 1;
      }
    }
    await cdp.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses: [] });
  }
  await cdp.detach();
  return { faults, ...count };
}

/** Runs on the element: what it looks like, and which values its toggles can have; none for what cannot be pressed or seen. */
function statesOf(toggles) {
  if (!this.checkVisibility({ visibilityProperty: true }) || this.disabled) return { states: [] };
  const kind = `${this.dataset.testid ?? this.id} ${this.className}`;
  let states = [{}];
  for (const name of toggles.filter((it) => this.hasAttribute(it))) {
    states = states.flatMap((state) => ['true', 'false'].map((value) => ({ ...state, [name]: value })));
  }
  return { kind, states };
}

/** Runs on the element: puts it into a state, measures, and puts it back. */
function measure(attributes) {
  const before = Object.fromEntries(Object.keys(attributes).map((name) => [name, this.getAttribute(name)]));
  const put = (values) => Object.entries(values).forEach(([name, value]) => this.setAttribute(name, value));
  const read = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (top, below) => top.rgb.map((value, i) => value * top.a + below[i] * (1 - top.a));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  /** What can be behind an element: over a picture that is anything between black and white. */
  const behind = (element) => {
    const layers = [];
    for (let it = element; it; it = it.parentElement) {
      const layer = read(getComputedStyle(it).backgroundColor);
      layers.push(layer);
      if (layer.a === 1) break;
      if (it.parentElement?.querySelector(':scope > video')) {
        layers.push({ rgb: [0, 0, 0], a: 1, isPicture: true });
        break;
      }
    }
    const flatten = (floor) => layers.slice(0, -1).reduceRight((below, layer) => over(layer, below), floor);
    const last = layers.at(-1);
    return last.isPicture ? [flatten([0, 0, 0]), flatten([255, 255, 255])] : [flatten(last.rgb)];
  };
  const worst = (colour, grounds) => Math.min(...grounds.map((ground) => ratio(over(read(colour), ground), ground)));

  put(attributes);
  const style = getComputedStyle(this);
  // Transitions end here and now; what inherits a colour begins its own when that of its parent has ended.
  const underway = () => document.getAnimations().filter((it) => it instanceof CSSTransition);
  for (let all = underway(); all.length > 0; all = underway()) all.forEach((it) => it.finish());
  const grounds = behind(this);
  const halo = style.boxShadow.match(/rgb\([^)]*\)/)?.[0];
  const around = halo ? [read(halo).rgb] : behind(this.parentElement);
  const hasIcon = this.querySelector('svg') !== null;
  const hasText = [...this.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && it.textContent.trim());
  const result = {
    name: this.dataset.testid ?? this.id ?? this.className,
    icon: hasIcon ? worst(getComputedStyle(this.querySelector('svg')).color, grounds) : undefined,
    text: hasText ? worst(style.color, grounds) : undefined,
    ring: style.outlineStyle === 'none' ? undefined : worst(style.outlineColor, around),
  };
  put(before);
  return result;
}
