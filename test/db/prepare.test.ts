/** Which statements without a name are prepared. */
import { describe, expect, it } from '@jest/globals';
import { databaseLimits } from '../../src/base/index.ts';
import { createPreparer } from '../../src/db/prepare.ts';

function send(prepare: ReturnType<typeof createPreparer>, text: string, times: number): string | undefined {
  let name: string | undefined;
  for (let time = 0; time < times; time++) name = prepare({ text, values: [time] }).name;
  return name;
}

describe('a statement without a name', () => {
  it('gets one when its text has come often enough, and keeps it', () => {
    const prepare = createPreparer();
    expect(send(prepare, 'select 1', databaseLimits.preparedAfter - 1)).toBeUndefined();
    const name = send(prepare, 'select 1', 1);
    expect(name).toBeDefined();
    expect(send(prepare, 'select 1', 1)).toBe(name);
    expect(send(prepare, 'select 2', databaseLimits.preparedAfter)).not.toBe(name);
  });

  it('keeps its values', () => {
    const prepare = createPreparer();
    send(prepare, 'select $1', databaseLimits.preparedAfter);
    expect(prepare({ text: 'select $1', values: [7] }).values).toEqual([7]);
  });

  it('gets none any more when so many texts are prepared, so that no connection grows without end', () => {
    const prepare = createPreparer();
    for (let n = 0; n < databaseLimits.preparedTextsMax; n++)
      send(prepare, `select ${n}`, databaseLimits.preparedAfter);
    expect(send(prepare, 'select one more', databaseLimits.preparedAfter + 1)).toBeUndefined();
    expect(send(prepare, 'select 0', 1)).toBeDefined();
  });
});

it('a statement with a name goes as it is', () => {
  const statement = { name: 'mine', text: 'select 1' };
  expect(createPreparer()(statement)).toBe(statement);
});
