// What foot is asked to draw: bars of three colours and a line of text, in a font and colours that are named.

/** Bytes of red, green and blue. */
export const colours = { first: [200, 30, 60], second: [20, 160, 60], background: [0x10, 0x20, 0x30] } as const;

const bar = ([red, green, blue]: readonly number[], cells: number) =>
  String.raw`\033[48;2;${red};${green};${blue}m%${cells}s\033[0m`;
const text = String.raw`\033[?25l${bar(colours.first, 40)}\nThe quick brown fox\n${bar(colours.second, 20)}`;

export const footArguments: readonly string[] = [
  ...["--override=font=DejaVu Sans Mono:size=14", "--override=colors.background=102030", "--override=pad=0x0"],
  ...["--override=colors.foreground=f0f0f0", "--override=cursor.blink=no"],
  ...["sh", "-c", `printf '${text}'; exec sleep 1000`],
];
