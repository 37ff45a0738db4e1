// Deadlines of what runs in guests.
import { scaled } from "../../src/deadlines.ts";

/** The deadline of so many seconds, as guests' commands take it. */
export const scaledSeconds = (seconds: number): string => String(scaled(seconds));
