/** What situations are told with. */
export { text } from '../time.ts';
export {
  type Awaited,
  delayOf,
  deliver,
  deliverOnce,
  drawOutcome,
  expect,
  type Focus,
  focus,
  gp,
  nurse,
  patientOf,
  send,
  settled,
  suture,
  surroundings,
  teamOf,
  type World,
} from '../world.ts';
