export { type Evaluation, evaluateMeasure, type ReportType } from './evaluate.ts';
export { measureResources } from './measures.ts';
