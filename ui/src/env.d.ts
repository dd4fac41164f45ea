/// <reference types="svelte" />
/// <reference types="vite/client" />
/** Whether the paper desk of `desk/mock.ts` stands in for the real one. */
declare const __MOCK__: boolean;
