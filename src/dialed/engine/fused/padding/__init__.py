"""Lanes of several widths in one program, by zero padding. The idea is in the README beside this file."""
