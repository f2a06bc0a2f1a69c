"""The shop front: customers who order something now and then."""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from examples.shop.events import Order, OrderStatus

# The ordering context sets prices; what the goods are is the stock service's to say.
_PRICES = ("4.90", "7.50", "12.00", "18.90", "24.50", "39.00", "64.00", "119.00")
_CUSTOMERS = ("ada", "barbara", "edsger", "frances", "grace", "katherine", "leslie", "radia")
_QUANTITIES = (1, 2, 3, 6, 12)
_QUANTITY_WEIGHTS = (50, 25, 14, 8, 3)
_LONGEST_GAP = timedelta(seconds=2)


class ShopFront:
    """Makes order requests at a steady mean rate, in events a second."""

    def __init__(self, per_second: float, chance: random.Random) -> None:
        self._per_second = per_second
        self._chance = chance
        self._last: datetime | None = None
        self._owed = 0.0

    def due(self, products: Sequence[str], at: datetime) -> list[Order]:
        """Return the requests since the last call; none are made up for a long pause."""
        passed = min(at - self._last, _LONGEST_GAP) if self._last else timedelta()
        self._last = at
        if not products:
            return []
        self._owed += self._per_second * passed.total_seconds()
        count = int(self._owed)
        self._owed -= count
        return [self._request(products, at) for _ in range(count)]

    def _request(self, products: Sequence[str], at: datetime) -> Order:
        # the minimum of two draws: some products are wanted more than others, and run out
        index = min(self._chance.randrange(len(products)) for _ in range(2))
        quantity = self._chance.choices(_QUANTITIES, _QUANTITY_WEIGHTS)[0]
        return Order(
            id=f"order-{uuid.uuid4().hex[:12]}",
            status=OrderStatus.REQUESTED,
            customer=f"{self._chance.choice(_CUSTOMERS)}@example.org",
            product=products[index],
            quantity=quantity,
            price=Decimal(_PRICES[index % len(_PRICES)]) * quantity,
            requested_at=at,
            updated_at=at,
        )
