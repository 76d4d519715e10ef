"""The screens of Opsloop, one file each, which declares `SCREEN`. Adding one edits nothing else."""
