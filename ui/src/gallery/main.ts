import '../fonts';
import '../shared/tokens.css';
import { mount } from 'svelte';
import { installMock } from '../desk/mock';
import Gallery from './Gallery.svelte';

installMock();
const target = document.getElementById('app');
if (target) mount(Gallery, { target });
