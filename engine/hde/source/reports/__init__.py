"""Printed reports become records: words to lines, lines to rows by declared templates.

A report is read by a process of its own (`hde.source.reports.child`), which alone loads what reads PDFs.
"""
