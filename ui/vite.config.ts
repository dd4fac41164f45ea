import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  // The countries' outlines are one file of 757 kB, read when the map is first opened.
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 800 },
  define: { __MOCK__: JSON.stringify(process.env.VITE_MOCK === '1') },
});
