namespace PrivateHeaps.Tests.Storage;

/// <summary>What threads of two nodes do with blocks, and on whose pages those lie.</summary>
internal sealed unsafe class NodeTraffic(PrivateHeap heap, int threadCount)
{
    /// <summary>Of these sizes are the blocks of a phase.</summary>
    public static readonly int[] Sizes = [16, 48, 200, 1000, 5000];

    private const int BlockCount = 500;

    private readonly Dictionary<nint, int> _nodeOfPage = [];
    private readonly nint[][] _blocks = [.. Enumerable.Range(0, threadCount).Select(_ => new nint[BlockCount])];
    private readonly Random _random = new(1);
    private int _all;
    private int _others;

    public double ShareOfOther => (double)_others / _all;

    public void Forget() => _all = _others = 0;

    public void Use(string pattern, int number, int round)
    {
        switch (pattern)
        {
            case "phases":
                UseAlone(number, Sizes[(round + number) % Sizes.Length]);
                break;
            case "handed":
                HandOver(number);
                break;
            default:
                Serve(number);
                break;
        }
    }

    private void UseAlone(int number, int bytes)
    {
        nint[] blocks = new nint[3000];
        for (int index = 0; index < blocks.Length; index++)
        {
            blocks[index] = Allocate(number, bytes);
        }

        Free(blocks);
    }

    private void HandOver(int number)
    {
        if (number < 4)
        {
            for (int index = 0; index < BlockCount; index++)
            {
                _blocks[number][index] = Allocate(number, 64);
            }
        }
        else
        {
            // Of the thread whose number is one less, on the other node.
            Free(_blocks[((number + 3) % 4)]);
        }
    }

    private void Serve(int number)
    {
        for (int index = 0; index < BlockCount; index++)
        {
            ref nint block = ref _blocks[_random.Next(threadCount)][_random.Next(BlockCount)];
            heap.Free((void*)block);
            block = Allocate(number, _random.Next(16, 1024));
        }
    }

    private nint Allocate(int number, int bytes)
    {
        int node = number % 2;
        nint block = (nint)heap.Alloc((nuint)bytes);
        for (nint page = block >> 12; page <= (block + bytes - 1) >> 12; page++)
        {
            _nodeOfPage.TryAdd(page, node);
        }

        _all++;
        _others += _nodeOfPage[block >> 12] == node ? 0 : 1;
        return block;
    }

    private void Free(nint[] blocks)
    {
        Array.ForEach(blocks, block => heap.Free((void*)block));
        Array.Clear(blocks);
    }
}
