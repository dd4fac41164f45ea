import './fonts';
import './shared/tokens.css';
import { mount } from 'svelte';
import App from './App.svelte';

async function start() {
  if (__MOCK__) (await import('./desk/mock')).installMock();
  const target = document.getElementById('app');
  if (target) mount(App, { target });
}
void start();
