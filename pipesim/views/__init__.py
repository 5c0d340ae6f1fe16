"""Everything a person sees: diagram, timeline, board and tables, all read off the trace."""
