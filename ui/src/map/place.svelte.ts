// Where the map was left, for as long as the window is open: going to an incident and back loses nothing.
import type { Camera } from './camera';

export const left = $state({ camera: null as Camera | null, active: '', selected: '' });
