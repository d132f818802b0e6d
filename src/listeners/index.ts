/** Doors beside HTTP by which letters and messages come in: MLLP, and a mailbox that is read. Put together in listeners.ts. */
export { type Listeners, startListeners } from './listeners.ts';
