/** The colours of what is compared, told apart by the colour-blind and in both themes: styles/theme.css has them. */
const COLOURS = 4;

export function sideColour(index: number): string {
  return `var(--side-${index % COLOURS})`;
}
