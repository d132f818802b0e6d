/** HL7 v2 messages that carry a letter, as the French guide has them. */
export type Flags = Readonly<Record<string, string>>;

export interface MessageParts {
  readonly type?: string;
  readonly order?: string;
  readonly result?: string;
  readonly ins?: string;
  readonly birthDate?: string;
  readonly id?: string;
  readonly code?: string;
  /** TXA-13. */
  readonly parent?: string;
  readonly reliability?: string;
  readonly flags?: Flags;
}

export function messageOf(letter: string | Uint8Array, parts: MessageParts = {}): string {
  const { type = 'MDM^T02^MDM_T02', order = 'NW', result = 'F', code = '11490-0', flags = {} } = parts;
  const {
    ins = '258059999900193',
    birthDate = '19580514',
    id = '1.2.250.1.999.7.3.40.1',
    parent = '',
    reliability,
  } = parts;
  const data = Buffer.from(letter).toString('base64');
  const marks = Object.entries(flags).map(
    ([name, value], index) =>
      `OBX|${index + 2}|CWE|${name}^libellé^MetaDMPMSS ||${value}^^expandedYes-NoIndicator||||||F|`,
  );
  const txa = type.startsWith('MDM') ? [`TXA|1|${code}|TEXT|20260302160500||||||||${id}|${parent}||||AU`] : [];
  return [
    `MSH|^~\\&|DPI|CHVA|PFI|CHVA|20260302161000||${type}|M-1|P|2.6|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2`,
    'EVN||20260302161000',
    `PID|||${ins}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS~IPP-004217^^^CHVA&99000001&M^PI||KERDONCUFF^SOLENE^SOLENE ANNE-MARIE^^^^L||${birthDate}|F${reliability === undefined ? '' : `${'|'.repeat(24)}${reliability}`}`,
    'PV1|1|I',
    `ORC|${order}|`,
    `OBR|1|||${code}^Lettre de liaison^LN|`,
    ...txa,
    `OBX|1|ED|${code}^Lettre de liaison^LN||^TEXT^XML^Base64^${data}||||||${result}|`,
    ...marks,
  ].join('\r');
}
