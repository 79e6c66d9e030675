"""The commands of `bnnhw`, one module each.

A command module has `HELP` (one line), `arguments(parser)`, which adds its own arguments, and
`run(args)`, which does the work through the public function of the same name, prints what a person
reads unless `args.json`, and returns what `--json` prints. Top-level imports are light: heavy ones
stand in `run`.
"""
