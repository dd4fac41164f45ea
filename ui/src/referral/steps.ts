// What may follow in a referral, and for whom. The desk decides; this only spares a person a
// refusal. The table is the one of the referral's flow: offered to closed, never a transfer.
import type { ReferralItem } from '../desk/types';
import { own } from '../shared/own';

const asked: Record<string, string[]> = {
  offered: ['accepted', 'declined'], received: ['accepted', 'declined'], seen: ['accepted', 'declined'],
  accepted: ['done', 'returned'], disputed: ['accepted', 'done'],
};
const asker: Record<string, string[]> = {
  offered: ['recalled'], received: ['recalled'], seen: ['recalled'], accepted: ['recalled'],
  done: ['closed', 'disputed'], declined: ['closed', 'disputed'], returned: ['closed', 'disputed'], disputed: ['closed', 'recalled'],
};

export const waits = (state: string): boolean => ['offered', 'received', 'seen'].includes(state);

/** The steps open to an institution. */
export function may(referral: Pick<ReferralItem, 'from' | 'to' | 'state'>, agency: string): string[] {
  if (agency === referral.to) return own(asked, referral.state) ?? [];
  return agency === referral.from ? (own(asker, referral.state) ?? []) : [];
}

/** Steps that say why, or what was done. */
export const needsWords = (step: string): boolean => ['declined', 'returned', 'disputed'].includes(step);

/** Steps before which a sentence is asked: where one is owed, and where nothing takes the step back. */
export const asksWords = (step: string): boolean => needsWords(step) || step === 'done' || step === 'recalled';
