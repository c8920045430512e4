"""Why a shop's buyers may not see our prices, and that a healthy shop is left in peace."""
