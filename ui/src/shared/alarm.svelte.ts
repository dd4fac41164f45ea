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

/** Asks the system whether this window may notify; whether it may. */
export async function askNotes(): Promise<boolean> {
  const granted = 'Notification' in window && (await Notification.requestPermission().catch(() => 'denied')) === 'granted';
  alarm.notes = granted;
  localStorage.setItem('notes', granted ? 'on' : 'off');
  return granted;
}
export function dropNotes() {
  alarm.notes = false;
  localStorage.setItem('notes', 'off');
}

/** Something Critical arrived. */
export function sound() {
  const away = !document.hasFocus();
  if (!alarm.muted) chime(away);
  // A notice is read over the shoulder and kept by the system: it holds nothing out of a record.
  if (away && alarm.notes && 'Notification' in window && Notification.permission === 'granted') {
    try { new Notification('Intact', { body: t('arrivedNote'), tag: 'critical' }); } catch { /* The system took the permission back. */ }
  }
}
