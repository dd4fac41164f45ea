// What is heard when something Critical arrives, and what the system is told: that something came,
// never what. The word, the shape and the number on top say it too, whatever is chosen here.
import { t } from '../i18n/index.svelte';

const kept = (name: string) => localStorage.getItem(name);
export const alarm = $state({ muted: kept('sound') === 'off', notes: kept('notes') === 'on' });

export function mute(yes: boolean) {
  alarm.muted = yes;
  localStorage.setItem('sound', yes ? 'off' : 'on');
  if (!yes) chime(false);
}

/** Two tones, once and soft before the eyes of a person; twice and louder where the window is behind others. */
function chime(away: boolean) {
  try {
    const audio = new AudioContext();
    const tones: [start: number, pitch: number][] = [[0, 880], [0.22, 660], ...(away ? [[0.7, 880], [0.92, 660]] as [number, number][] : [])];
    for (const [start, pitch] of tones) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(away ? 0.2 : 0.08, audio.currentTime + start);
      gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + start + 0.2);
      tone.connect(gain).connect(audio.destination);
      tone.start(audio.currentTime + start);
      tone.stop(audio.currentTime + start + 0.2);
    }
    setTimeout(() => void audio.close(), 1600);
  } catch {
    // A machine without sound: the word and the shape say it too.
  }
}

/** How a notice is shown by the system; it fails where the system shows none. */
export type Notice = (text: string) => Promise<void>;

/** Turns notices on with a first one, so that it is seen how they look; whether the system shows any. */
export async function askNotes(show: Notice): Promise<boolean> {
  const granted = await show(t('notesOn')).then(() => true, () => false);
  alarm.notes = granted;
  localStorage.setItem('notes', granted ? 'on' : 'off');
  return granted;
}
export function dropNotes() {
  alarm.notes = false;
  localStorage.setItem('notes', 'off');
}

/** Something Critical arrived. */
export function sound(show: Notice) {
  const away = !document.hasFocus();
  if (!alarm.muted) chime(away);
  // A notice is read over the shoulder and kept by the system: it holds nothing out of a record.
  // Where the system shows none any more, the sound and the numbers on top remain.
  if (away && alarm.notes) void show(t('arrivedNote')).catch(() => undefined);
}
