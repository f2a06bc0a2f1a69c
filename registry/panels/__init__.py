"""What pages show of subjects and schemas; nothing here registers or changes anything."""
