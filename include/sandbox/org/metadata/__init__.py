"""What an administrator changes: fields, picklists, labels, objects, while others read."""
