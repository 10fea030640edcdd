"""The report: a run as one self-contained page."""

from glassnet.report.report import render, write_report
from glassnet.report.report_story import DataSummary, RangeTrace, ReportStory, Thumbnail
from glassnet.report.run_story import story_of_run

__all__ = [
    "DataSummary",
    "RangeTrace",
    "ReportStory",
    "Thumbnail",
    "render",
    "story_of_run",
    "write_report",
]
