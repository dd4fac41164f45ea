// The ballot-secrecy guard: free text that may say how someone voted is pointed out to its writer.
// It warns and never blocks, and it looks for a person's choice, not for the word "vote".
const telling = [
  /\b(?:voted|votes|voting|vote|ballot)\s+(?:is\s+|was\s+)?(?:for|against)\s+(?!annul|recount|repeat)\S+/i,
  /\bcast\s+(?:his|her|their|a)\s+(?:vote|ballot)\s+for\b/i,
  /\b(?:marked|ticked|crossed)\s+(?:the\s+)?(?:box\s+of|candidate|party|list)\b/i,
  /\b(?:a|ont|avait|aurait|avoir)\s+vot[ée]e?s?\s+(?:pour|contre)\b/iu,
  /\bvot(?:e|er|é|ait|ent)\s+(?:pour|contre)\s+(?:le|la|les|l['’]|un|une|M\.|Mme)/iu,
  /(?:صوّ?ت|صوّ?تت|صوّ?توا|انتخب)\s+(?:لصالح|ضد|لـ|لل|ل)/u,
];

export const maySayVote = (...texts: string[]): boolean => texts.some((text) => telling.some((sign) => sign.test(text)));
