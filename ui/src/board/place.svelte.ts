// Where one was on the board, so that coming back from an incident leads to the same row; and whether
// the board is a list or lanes, which this device remembers.
export const place = $state({ selected: '', at: 0, lanes: localStorage.getItem('board') === 'lanes' });

export function turn() {
  place.lanes = !place.lanes;
  localStorage.setItem('board', place.lanes ? 'lanes' : 'list');
}
