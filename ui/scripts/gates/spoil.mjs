// Runs in the page, before the window does: puts a hostile string into every text of the desk's
// answers, and makes the lists of some answers as long as the list of strings, so that each string
// stands once in each field. What tells things apart (ids) stays as it is.
export function spoil({ strings, joined, many }) {
  const s = (n) => strings[n % strings.length];
  const each = (command, make) => (many.includes(command) ? strings : strings.slice(0, 2)).map((_, n) => make(n));
  const state = (n) => (n % 2 === 0 ? 'seen' : s(n));
  const entry = (n, one) => ({
    ...one, id: `entry${n}`, text: s(n), operator: s(n + 1), device: s(n + 2), agency: s(n + 3), reason: s(n + 4), action: n % 2 === 0 ? 'note' : s(n + 5), status: n % 2 === 0 ? 'valid' : s(n + 6), clock: s(n + 7), envelope: s(n + 8),
  });
  const referral = (n, one, from, to) => ({
    ...one, id: `referral${n}`, from, to, record: `EMB-${n}`, summary: s(n), reason: s(n + 1), ask: s(n + 2), state: state(n), steps: [{ ...one.steps[0], state: 'seen', operator: s(n + 3), agency: s(n + 4) }, { ...one.steps[0], state: s(n + 5) }],
  });
  const exhibit = (n, one) => ({ ...one, id: `exhibit${n}`, name: s(n), description: n % 2 === 0 ? s(n) : null, holder: s(n + 1), custody: [s(n + 2)], sha256: s(n + 3) });
  const row = (n, one) => ({
    ...one, id: `row${n}`, reference: `EMB-${n}`, summary: s(n), place: s(n + 1), station: s(n + 2), assigned: s(n + 3), category: s(n + 4), state: s(n + 5), owner: s(n + 6),
    domains: n % 2 ? [s(n + 7)] : [], disputed: [s(n + 8)], referral: n % 3 === 0 ? { to: s(n + 9), state: s(n + 10), respond_by: null } : null,
  });
  const pick = { entry: null, referral: null, exhibit: null };
  const commands = {
    vault_status: (reply) => ({ ...reply, operation: joined, agency_name: joined, device: joined, operator: joined }),
    board: (reply, { query }) => ({ ...reply, ...((items) => ({ total: items.length, items: items.slice(query.offset, query.offset + query.limit) }))(each('board', (n) => row(n, reply.items[0] ?? pick.row))) }),
    incident_show: (reply, { reference }) => {
      const turn = globalThis.gateTurn ?? 0;
      const few = globalThis.gateTurn !== undefined;
      const list = (make) => (few ? [make(turn)] : each('incident_show', make));
      const fields = { ...reply.fields, summary: s(turn), description: s(turn + 1), place: s(turn + 2), people: s(turn + 3), services: s(turn + 4), hazards: s(turn + 5), tlp: s(turn + 6), station: s(turn + 7), perpetrator: s(turn + 8) };
      if (!few) each('incident_show', (n) => n).forEach((n) => { Object.defineProperty(fields, s(n), { value: s(n + 1), enumerable: true, configurable: true, writable: true }); });
      return {
        // A row of the board is asked for by its id, and that is what comes.
        ...reply, id: reference.startsWith('row') ? reference : reply.id, reference: reply.reference, fields, state: s(turn + 9), owner: s(turn + 10), audience: [s(turn + 11)], audience_sentence: s(turn + 11), digest: s(turn + 12),
        disputes: { [s(turn + 13)]: [{ value: s(turn + 14), agency: s(turn + 15), operator: s(turn + 16), at: reply.entries[0].recorded_at, entry: 'a' }] },
        gaps: list((n) => s(n)), entries: list((n) => entry(n, reply.entries[0])), exhibits: list((n) => exhibit(n, pick.exhibit)), referrals: list((n) => referral(n, pick.referral, 'police', 'emb')),
        links: list((n) => ({ relation: s(n), id: `link${n}`, reference: s(n + 1) })),
      };
    },
    referral_list: (reply, { inbox }) => ({ items: each('referral_list', (n) => referral(n + (inbox ? 0 : strings.length), reply.items[0], inbox ? 'police' : 'emb', inbox ? 'emb' : 'police')) }),
    roster_show: (reply) => ({
      ...reply, operation_name: joined,
      agencies: [...reply.agencies, ...each('roster_show', (n) => ({ id: `agency${n}`, kind: s(n + 1), name: s(n), contested: true }))],
      devices: each('roster_show', (n) => ({ ...reply.devices[0], id: `device${n}`, name: s(n), operator: s(n + 1), roles: [s(n + 2)], status: many.includes('roster_show') ? s(n + 3) : 'active', here: false, reason: s(n + 4) })),
    }),
    device_reach: (reply) => ({
      ...reply, name: joined, operator: joined, roles: [s(0)], total: strings.length, counted: each('device_reach', (n) => ({ why: s(n), owner: `agency${n}`, records: 1, exhibits: 0 })),
      items: each('device_reach', (n) => ({ ...reply.items[0], id: `reached${n}`, reference: s(n), summary: s(n + 1), kind: s(n + 2), owner: s(n + 3), why: s(n + 4) })),
      beyond: each('device_reach', (n) => ({ ...reply.last, envelope: `written${n}`, record: `record${n}`, reference: s(n) })),
    }),
    revoke_look: (reply) => ({ ...reply, name: joined, operator: joined, approvers: each('revoke_look', (n) => ({ device: `approver${n}`, name: s(n), operator: s(n + 1) })) }),
    approval_look: (reply) => ({ ...reply, name: s(0), operator: s(1), reason: joined, asked_by: s(2) }),
    enrol_look: (reply) => ({ ...reply, name: s(0), operator: joined, unit: s(1), roles: strings }),
    exchange_status: (reply) => ({ ...reply, relay_url: joined, lan_address: joined, endpoint: joined, peers: each('exchange_status', (n) => ({ ...reply.peers[0], agency: `agency${n}`, name: s(n), not_reached: n % 2 })), refused: each('exchange_status', (n) => ({ reason: s(n) })) }),
    draft_get: () => ({ form: { station: s(0), occurred: s(1), summary: s(2), category: s(3), people: s(4), services: s(5), description: s(6) }, kept_at: '2026-10-04T20:41:07+02:00' }),
    // A setting is read back as anything else is: what does not fit its bounds is left out.
    settings_get: (reply, { name }) => {
      const short = strings.filter((text) => text.length <= 40);
      if (name === 'views') return JSON.stringify(short.slice(0, 9).map((text) => ({ name: text, lens: { view: 'open', search: text, state: '', category: '', severity: 0 } })));
      if (name === 'ladder') return JSON.stringify({ '*': short.slice(9, 13).map((whom, n) => ({ after: n + 1, whom })), __proto__x: 1, [joined]: [] });
      return reply;
    },
    station_list: (reply) => ({ total: 8, items: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ ...reply.items[0], code: s(n), name: s(n + 1), area: s(n + 2), lat: null, lon: null, expected_by: s(n + 3) })) }),
    station_silent: (reply) => ({ ...reply, total: 4, items: [0, 1, 2, 3].map((n) => ({ ...reply.items[0], station: { ...reply.items[0].station, code: s(n), name: n === 0 ? joined : s(n + 1), area: s(n + 2) }, expected: s(n + 3) })) }),
    audience_preview: (reply) => ({ ...reply, sentence: joined }),
  };
  globalThis.spoil = (command, reply, args) => {
    // One clean answer of each kind is kept as the pattern of the many.
    if (command === 'board' && reply.items[0]) pick.row = reply.items[0];
    if (command === 'incident_show') { pick.exhibit = reply.exhibits[0] ?? pick.exhibit; pick.referral = reply.referrals[0] ?? pick.referral; }
    return commands[command] ? commands[command](reply, args) : reply;
  };
}
