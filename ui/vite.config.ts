import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: { target: 'es2022', sourcemap: false },
  define: { __MOCK__: JSON.stringify(process.env.VITE_MOCK === '1') },
});
