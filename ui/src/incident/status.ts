// The mark of an entry's status; a status that a newer peer wrote is not taken for verified.
import { own } from '../shared/own';

const marks: Record<string, 'full' | 'ring' | 'crossed'> = { witnessed: 'full', valid: 'ring', quarantined: 'crossed', rejected: 'crossed', 'not-authorised': 'crossed' };

export const markOf = (status: string): 'full' | 'ring' | 'broken' | 'crossed' => own(marks, status) ?? 'broken';
