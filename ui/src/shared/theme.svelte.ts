// The look that was chosen, or the one the system asks for. Kept on this device.
export const themes = ['dark', 'light', 'contrast'] as const;
export type Theme = (typeof themes)[number];

function first(): Theme {
  const kept = themes.find((name) => name === localStorage.getItem('theme'));
  if (kept) return kept;
  if (matchMedia('(prefers-contrast: more)').matches) return 'contrast';
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

export const look = $state({ theme: first() });

export const next = (theme: Theme): Theme => themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'dark';

export function wear(theme: Theme) {
  look.theme = theme;
  localStorage.setItem('theme', theme);
  document.documentElement.dataset.theme = theme;
}
