"""What the doctor says of an installation in each of its troubles."""
