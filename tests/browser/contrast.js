/* Measures the contrast of every text that is seen with the ground that it stands on, as WCAG 2.2 (1.4.3) has it. */
() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ({ r, g, b }) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const canvas = dark ? { r: 18, g: 18, b: 18, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };

  const lineage = (element) => {
    const found = [];
    for (let each = element; each; each = each.parentElement) found.unshift(each);
    return found;
  };
  /* The ground beneath an element, and how much of itself each of its ancestors lets be seen. */
  const seen = (element) => {
    let ground = canvas, opacity = 1;
    for (const each of lineage(element)) {
      const style = getComputedStyle(each);
      const behind = parse(style.backgroundColor);
      opacity *= Number(style.opacity);
      if (behind.a > 0) ground = over({ ...behind, a: behind.a * opacity }, ground);
    }
    return { ground, opacity };
  };

  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1 || box.right < 0 || ["OPTION", "TITLE"].includes(element.tagName)) continue;
    texts += 1;
    const style = getComputedStyle(element);
    const { ground, opacity } = seen(element);
    const ink = parse(style.color);
    const [light, deep] = [luminance(over({ ...ink, a: ink.a * opacity }, ground)), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (deep + 0.05);
    const points = parseFloat(style.fontSize) * 0.75;
    const large = points >= 18 || (points >= 14 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)} to 1, ${style.color}`);
  }
  return { texts, faint };
}
