"""What a run says beside the two headlines: organisations, implementers, the hardware leap, rival forms, views."""
