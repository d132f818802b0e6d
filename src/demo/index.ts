export { type DemoResult, demoStartMs, playDemo } from './play.ts';
export { createPrinter } from './print.ts';
