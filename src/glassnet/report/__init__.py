"""The report: a run, or several beside each other, as one self-contained page."""

from glassnet.report.comparing import compare
from glassnet.report.report import render, write_report
from glassnet.report.report_story import DataSummary, Pair, RangeTrace, ReportStory, Wrong
from glassnet.report.run_story import story_of_run
from glassnet.report.samples import Sample

__all__ = [
    "DataSummary",
    "Pair",
    "RangeTrace",
    "ReportStory",
    "Sample",
    "Wrong",
    "compare",
    "render",
    "story_of_run",
    "write_report",
]
