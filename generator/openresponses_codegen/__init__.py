"""openresponses-codegen: code from the Open Responses specification."""

__version__ = "0.1.0"
