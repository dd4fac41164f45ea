import { expect, it } from 'vitest';
import { maySayVote } from './secrecy';

it('points out a vote choice in three languages', () => {
  for (const text of ['The old man voted for the Blue list', 'she said her vote was against Mr X', 'He marked candidate 3', 'La dame a voté pour M. Martin', 'صوّت لصالح القائمة الزرقاء']) {
    expect(maySayVote(text), text).toBe(true);
  }
});

it('leaves an ordinary account alone', () => {
  for (const text of ['Vote halted at 20:38, 412 voters affected', 'About 40 ballots were in it', 'Queue of voters waiting for the room to open', 'Vote suspended: power out', 'Le vote est interrompu pour 17 minutes', 'توقف الاقتراع 17 دقيقة', '']) {
    expect(maySayVote(text), text).toBe(false);
  }
});
