// How long is long: CLOCHE_TIME_FACTOR says how many times slower than usual this machine is, an emulated one for instance.

const given = Number(process.env.CLOCHE_TIME_FACTOR ?? 1);
const factor = given >= 1 && given <= 100 ? given : 1;

/** The deadline in milliseconds, for this machine. */
export const scaled = (ms: number): number => ms * factor;
