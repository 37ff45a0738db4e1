// Columns of text.
import { stripVTControlCharacters } from "node:util";

/** Bytes that a font shows in two cells are rare in what is listed: a character counts as one. */
const widthOf = (cell: string): number => [...stripVTControlCharacters(cell)].length;

/** Each row's cells side by side, two blanks between columns; nothing behind the last one. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  const pad = (cell: string, column: number, isLast: boolean) =>
    isLast ? cell : cell + " ".repeat((widths[column] ?? 0) - widthOf(cell) + 2);
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, column, column === row.length - 1))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}
