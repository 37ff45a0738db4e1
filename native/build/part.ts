// What a native part is: which files decide its content, and how it is made.

export interface Part {
  readonly name: string;
  /** The file in native/dist. */
  readonly output: string;
  /** Files and directories, relative to the checkout; a directory counts with all below it. */
  readonly sources: readonly string[];
  /** Whatever else decides the content: flags, versions. */
  readonly recipe: readonly string[];
  /** One line or more that tell one compiler from another. Throws `missing-program`. */
  readonly identifyCompiler: () => Promise<string>;
  /** Makes the file at the path. Its messages go to standard error. */
  readonly build: (path: string, directories: BuildDirectories) => Promise<void>;
}

export interface BuildDirectories {
  readonly checkout: string;
  /** Where intermediate results stay for the next build, of any checkout. */
  readonly intermediate: string;
}
