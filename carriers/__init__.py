"""What a shipment is, and every carrier behind one Protocol; knows no store and no database."""
