/**
 * A Paper as a PDF page to read: A4, the fonts that every reader has, nothing fetched. They know Latin letters (WinAnsi): any other
 * becomes a question mark, the FHIR document has it as it is. The same input gives the same bytes.
 */
import { buffer } from 'node:stream/consumers';
import type { Paper } from './paper.ts';

export interface PdfSetting {
  readonly patient: readonly string[];
  /** `02/03/2026`. */
  readonly day: string;
  readonly madeAtMs: number;
}

const margin = 56;
const linesMax = 400;

export async function writePdf(paper: Paper, { patient, day, madeAtMs }: PdfSetting): Promise<Buffer> {
  // Loaded when the first page is asked for: its fonts are a sixth of the start of the server.
  const { default: PDFDocument } = await import('pdfkit');
  const title = printable(paper.title);
  const pdf = new PDFDocument({
    size: 'A4',
    margin,
    lang: 'fr-FR',
    displayTitle: true,
    compress: false,
    info: { Title: title, Author: 'Suture', CreationDate: new Date(madeAtMs), ModDate: new Date(madeAtMs) },
  });
  const bytes = buffer(pdf);
  pdf.font('Helvetica-Bold').fontSize(17).fillColor('#14324a').text(title);
  pdf.moveDown(0.3).font('Helvetica').fontSize(9.5).fillColor('#555555').text(`Édité le ${day} par Suture`);
  pdf.moveDown(0.6).fontSize(11).fillColor('#000000');
  for (const one of patient) pdf.text(printable(one));
  let left = linesMax;
  for (const { title: heading, lines } of paper.sections) {
    pdf.moveDown(0.9).font('Helvetica-Bold').fontSize(12).fillColor('#14324a').text(printable(heading));
    pdf.moveDown(0.2).font('Helvetica').fontSize(10.5).fillColor('#000000');
    const shown = lines.slice(0, left);
    if (shown.length > 0) pdf.list(shown.map(printable), { bulletRadius: 1.6, textIndent: 12, lineGap: 1.5 });
    if (shown.length < lines.length) pdf.text('… (suite dans le document FHIR)');
    left -= shown.length;
  }
  pdf.moveDown(1.2).fontSize(8).fillColor('#555555');
  pdf.text(
    'Document produit automatiquement à partir du dossier ; il ne remplace pas l’avis d’un professionnel de santé.',
  );
  pdf.end();
  return bytes;
}

/** Beside Latin-1, what WinAnsi has. */
const winAnsi = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');

function printable(text: string): string {
  const plain = text.normalize('NFC').replace(/\s+/g, ' ').slice(0, 2000);
  return [...plain]
    .map((one) => ((one >= ' ' && one <= '~') || (one >= '\u00a0' && one <= '\u00ff') || winAnsi.has(one) ? one : '?'))
    .join('');
}
