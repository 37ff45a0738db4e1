// The command `cloche`.
import { enableCompileCache } from "node:module";
import { cacheDirectory } from "../paths.ts";

// What was compiled once is kept in the user's own cache; without one that can be written, it is compiled again.
enableCompileCache(cacheDirectory("compiled"));
const { dispatch } = await import("./dispatch.ts");
process.exit(await dispatch(process.argv.slice(2)));
