// A server that gives each request a heap of its own: the request works in it without freeing anything, the heap is dropped whole at the
// end, and a request that wants more than its share fails alone.
using PrivateHeaps;
using Requests;

const int Share = 256 << 10;

Request[] requests =
[
    new("GET /orders", lines: 200),
    new("GET /orders/all", lines: 2_000),
    new("GET /report?years=1000", lines: 1_000_000),
    new("GET /stock", lines: 900),
];

Console.WriteLine($"{"request",-24} {"answer",-28} {"blocks",8} {"bytes used",12} {"of",10}");
Parallel.ForEach(requests, request =>
{
    using PrivateHeap heap = new(new PrivateHeapOptions { Name = request.Name, MaximumSize = Share });
    string answer;
    try
    {
        answer = $"200, {request.Serve(heap):N0} bytes";
    }
    catch (OutOfMemoryException)
    {
        answer = "507, over its share";
    }

    HeapSummary summary = heap.GetSummary();
    Console.WriteLine($"{request.Name,-24} {answer,-28} {summary.BlockCount,8:N0} {summary.AllocatedBytes,12:N0} {summary.MaximumReserveBytes,10:N0}");
});

int left = PrivateHeap.All().Count(heap => requests.Any(request => request.Name == heap.Name));
Console.WriteLine($"{requests.Length} requests served, {left} heaps left.");
