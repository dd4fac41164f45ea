// Reports of the paper night: one situation report under way, one handover that was taken over.
import type * as T from './types';

type Maker = (name: string, length?: number) => string;

export function paperReports(hex: Maker, at: (time: string) => string) {
  const section = (name: string, text: string, writers: string[] = ['Duty Officer']): T.ReportSection =>
    ({ name, text, base: text ? [hex(`base${name}${text.length}`)] : [], writers: text ? writers : [], last_at: text ? at('21:12:00') : null });
  const significant = 'EMB-0421-0007 · 0421 · Ballot box destroyed with acid\nEMB-JOC-0112 · Results site slow, suspected flood';
  const reports: T.ReportShow[] = [
    {
      row: { id: hex('sitrep', 32), reference: 'EMB-SITREP-0002', kind: 'situation-report', from: at('13:10:00'), to: at('21:10:00'), owner: 'emb', recorded_at: at('21:10:00'), last_at: at('21:12:00') },
      figures: [['new', 41], ['critical', 2], ['serious', 5], ['open', 14], ['untriaged', 7], ['out_of_scope', 9], ['unanswered', 7], ['overdue', 3]].map(([name, count]) => ({ name: String(name), count: Number(count), rows: ['EMB-0421-0007', 'EMB-JOC-0112'] })),
      sections: [
        section('situation', 'Voting goes on in 11,380 of 11,402 stations. One box destroyed at 0421, replaced after 17 minutes.', ['Duty Officer', 'Insp. Marchand']),
        section('significant', significant), section('actions', 'Replacement box and seal on site. Police secure the corridor until the count.'), section('needs', ''), section('outlook', 'Closing at 22:00 in all districts.'),
      ],
      signatures: [{ capacity: 'prepared', operator: 'Duty Officer', agency: 'emb', device: 'JOC 1', at: at('21:12:30'), current: false }],
      audience: ['emb', 'police'], audience_sentence: 'Can be read by the Central Election Commission and the National Police.',
    },
    {
      row: { id: hex('handover', 32), reference: 'EMB-HANDOVER-0001', kind: 'handover', from: at('06:00:00'), to: at('14:00:00'), owner: 'emb', recorded_at: at('14:00:00'), last_at: at('14:04:00') },
      figures: [['critical', 0], ['open', 6], ['unanswered', 1], ['overdue', 0], ['promised', 2], ['asked', 1]].map(([name, count]) => ({ name: String(name), count: Number(count), rows: count ? ['EMB-0421-0006'] : [] })),
      sections: [section('significant', 'EMB-0421-0006 · 0421 · Queue over 300 metres'), section('promised', 'Police: list of closed streets by 15:00'), section('notes', 'Generator of station 0877 is on its last tank.')],
      signatures: [{ capacity: 'taken-over', operator: 'C. Adeyemi', agency: 'emb', device: 'JOC 2', at: at('14:03:10'), current: true }],
      audience: ['emb'], audience_sentence: 'Can be read by the Central Election Commission, and by nobody else.',
    },
  ];
  const find = (name: unknown): T.ReportShow => {
    const found = reports.find(({ row }) => row.id === name || row.reference === name);
    if (!found) throw { code: 'not-found', message: `no report is called ${String(name)} here`, advice: 'Nothing was changed.' };
    return found;
  };
  return {
    report_list: () => ({ items: reports.map(({ row }) => row) }),
    report_show: ({ reference }: Record<string, unknown>) => find(reference),
    report_start: ({ input }: Record<string, unknown>) => {
      const { kind } = input as T.ReportStart;
      const like = reports.find(({ row }) => row.kind === kind) ?? find('EMB-SITREP-0002');
      const n = String(reports.length + 1).padStart(4, '0');
      const row = { ...like.row, id: hex(`report${n}`, 32), reference: `EMB-${kind === 'handover' ? 'HANDOVER' : 'SITREP'}-${n}`, to: at('21:14:32'), recorded_at: at('21:14:32') };
      const made: T.ReportShow = { ...like, row, signatures: [], sections: like.sections.map(({ name }) => section(name, name === 'significant' ? significant : '')) };
      reports.unshift(made);
      return made;
    },
    report_write: ({ reference, section: name, text }: Record<string, unknown>) => {
      const held = find(reference).sections.find((one) => one.name === name);
      if (!held) throw { code: 'not-found', message: 'no such text', advice: 'Nothing was changed.' };
      Object.assign(held, { text, base: [hex(`wrote${String(text)}`)], writers: ['Duty Officer'] });
      return { entry: hex(String(text)), section: held };
    },
    report_sign: ({ reference, capacity }: Record<string, unknown>) => {
      find(reference).signatures.push({ capacity: String(capacity), operator: 'Duty Officer', agency: 'emb', device: 'JOC 1', at: at('21:14:32'), current: true });
      return { entry: hex('signed') };
    },
    activity: (): T.ActivityList => ({ total: 3, items: [
      ['20:42:10', 'EMB-0421-0007', 'refer', 'Referred to police: respond'], ['20:55:20', 'EMB-0421-0007', 'note', 'Box replaced, seal 88213'], ['21:02:00', 'EMB-JOC-0112', 'assign', 'Assigned to Duty Officer'],
    ].map(([time, reference, action, text]) => ({ reference: reference ?? '', action: action ?? '', text: text ?? '', operator: 'Duty Officer', device: 'JOC 1', agency: 'emb', recorded_at: at(time ?? '') })) }),
  };
}
