"""The command for builds."""
