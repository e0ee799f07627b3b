"""The process between a virtual board's port and its interpreter. Standard library only."""
