import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The paper desk and the gallery are for looking and for tests: only then are they built, and never
// into the folder that is shipped.
const mock = process.env.VITE_MOCK === '1';

export default defineConfig({
  plugins: [svelte()],
  build: {
    // The countries' outlines are one file of 757 kB, read when the map is first opened.
    target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 800,
    ...(mock && { outDir: 'node_modules/.cache/intact-mock', emptyOutDir: true, rolldownOptions: { input: ['index.html', 'gallery.html'] } }),
  },
  define: { __MOCK__: JSON.stringify(mock) },
});
