// What the verifier says of the invented dossiers, by their names.
import type { VerdictReport } from './types';

const gaps = [
  'INTACT, WITH GAPS', '', 'Unchanged since it was signed; something that ought to be there is not.', '',
  'GAPS', '  EMB Field 12: entries 34 to 36 of its chain are not in this dossier, and nobody stated why.', '',
  'Operation General election 2026, exported by JOC desk of emb at 2026-10-05T09:12:44+02:00.',
  'Checked: 48 entries of 2 records, by 5 devices of 3 agencies; 2 originals are what was acquired.',
  'Written between 2026-10-04T20:41:07+02:00 and 2026-10-05T08:55:10+02:00, by the authors\u2019 own clocks.',
  'Left out by the exporter: 3 linked records (owner cert, ground TLP:AMBER+STRICT).',
  'That it is unchanged does not make its content true.',
];
const broken = [
  'NOT INTACT', '', 'PROBLEMS', '  data/evidence/EMB-0421-0007-1/original.jpg: its SHA-256 is not the one in the manifest that was signed', '',
  'Operation General election 2026, exported by JOC desk of emb at 2026-10-05T09:12:44+02:00.',
];
const whole = ['INTACT', '', ...gaps.slice(6)];

export function verdict(path: string, out: string | null): VerdictReport {
  if (path.includes('sealed') && !out) return { dossier: path, verdict: 'SEALED', as_of: null, lines: [] };
  const lines = path.includes('gaps') ? gaps : path.includes('changed') ? broken : whole;
  return { dossier: out ?? path, verdict: lines[0] ?? '', as_of: '2026-10-05T09:12:44+02:00', lines };
}
